import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { isSea } from 'node:sea';
import { webhookConfiguration } from '@selvedge/api';
import { explain, startTuned } from '@selvedge/kit';
import { stringify } from 'yaml';
import { type Command, parseCommand, usage } from './arguments.ts';
import { loadConfig } from './config/index.ts';
import { egressSelectorConfiguration } from './egress/index.ts';
import { exitCodeOf, originating } from './exit-code.ts';
import { runManager } from './run.ts';
import { tuning } from './tuning.ts';
import { version } from './version.ts';

async function printWebhook(configFile: string): Promise<number> {
  const text = await originating('config', async () => {
    const { webhook } = await loadConfig(configFile, process.env);
    if (webhook === undefined) throw new Error('the config has no webhook');
    const { certificate, reach } = webhook;
    const ca = certificate.kind === 'files' ? await readFile(certificate.caFile, 'utf8') : undefined;
    return stringify(webhookConfiguration(reach, ca));
  });
  process.stdout.write(text);
  return 0;
}

async function printEgress(configFile: string): Promise<number> {
  const text = await originating('config', async () => {
    const { egress } = await loadConfig(configFile, process.env);
    if (egress === undefined) throw new Error('the config has no egress');
    return stringify(egressSelectorConfiguration(egress));
  });
  process.stdout.write(text);
  return 0;
}

async function execute(command: Command): Promise<number> {
  switch (command.kind) {
    case 'run':
      startTuned(tuning, process, { single: isSea() });
      return runManager({
        configFile: command.config,
        environment: process.env,
        hostName: hostname(),
        random: Math.random,
        host: process,
        write: (line) => process.stderr.write(line),
      });
    case 'webhook-configuration':
      return printWebhook(command.config);
    case 'egress-configuration':
      return printEgress(command.config);
    case 'help':
      process.stdout.write(usage);
      return 0;
    case 'version':
      process.stdout.write(`cloud-manager ${version}\n`);
      return 0;
  }
}

async function main(): Promise<number> {
  try {
    return await execute(await originating('config', () => parseCommand(process.argv.slice(2))));
  } catch (error) {
    process.stderr.write(`cloud-manager: ${explain(error)}\n`);
    return exitCodeOf(error);
  }
}

void main().then((code) => process.exit(code));
