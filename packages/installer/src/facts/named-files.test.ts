import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@selvedge/kit';
import { expect, it } from 'vitest';
import { createLocalHost } from '../host/index.ts';
import { namedFiles } from './named-files.ts';
import { surveyScript } from './script.ts';
import { parseFiles, parseSurvey } from './survey.ts';

const { signal } = new AbortController();
const host = createLocalHost({ clock: systemClock });
const base64 = (text: string): string => Buffer.from(text).toString('base64');

it('the configuration that an agent of k3s is told of is looked at, with the parts beside it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'selvedge-facts-'));
  try {
    const config = join(folder, 'k3s.yaml');
    await mkdir(`${config}.d`);
    await writeFile(config, 'v: 2\n');
    await writeFile(`${config}.d/edge.yml`, 'v: 3\n');
    await writeFile(`${config}.d/README`, 'not read by k3s either\n');
    const unit = `[Service]\nExecStart=/usr/local/bin/k3s \\\n    agent \\\n\t'--config' \\\n\t'${config}' \\\n`;
    const facts = parseSurvey(
      `unit\tk3s-agent.service\t${base64('ActiveState=active\n')}\t${base64(unit)}\n`,
    );
    const named = namedFiles(facts);
    expect(named).toEqual([config, `${config}.d`]);
    const { stdout } = await host.run({ argv: ['sh', '-c', surveyScript, 'sh', ...named] }, signal);
    const { files } = parseFiles(stdout.toString());
    expect(Object.keys(files)).toEqual([config, `${config}.d/edge.yml`]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

it.each(['K3S_CONFIG_FILE=/srv/k3s.yaml\n', 'K3S_CONFIG_FILE="/srv/k3s.yaml"\n'])(
  'so is one that a variable names: %j',
  (variables) => {
    const env = '/etc/systemd/system/k3s-agent.service.env';
    const shown = `ActiveState=active\nEnvironmentFiles=${env} (ignore_errors=yes)\n`;
    const lines = [
      `unit\tk3s-agent.service\t${base64(shown)}\t${base64('[Service]\n')}`,
      `file\t${env}\t600\t0\t0\t1\tab\t${base64(variables)}`,
    ];
    expect(namedFiles(parseSurvey(`${lines.join('\n')}\n`))).toEqual([
      env,
      '/srv/k3s.yaml',
      '/srv/k3s.yaml.d',
    ]);
  },
);
