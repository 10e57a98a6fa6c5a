import type { KubeObject } from '@selvedge/kube';
import { stringify } from 'yaml';
import {
  createTableWriter,
  includeObjectOf,
  listHead,
  listMetadata,
  negotiate,
  partialObject,
  printerOf,
  statusError,
  type Form,
  type ListMetadata,
  type TableWriter,
} from '../answers/index.ts';
import { apiVersionOf, flagOf, heldResource } from '../request-info/index.ts';
import type { HubRequest } from '../request.ts';
import type { Read, ReadsParts } from './types.ts';

/** How a client wants objects to be written. Rows of the replica are not parsed where their JSON will do. */
export interface Presenter {
  /** Only metadata is asked for. */
  readonly metadataOnly: boolean;
  readonly contentType: string;
  /** The answer to a GET. */
  object(json: string): string;
  /** A list before its items; `kind` is that of an item, if anybody knows it. */
  listHead(metadata: ListMetadata, kind: string | undefined): string;
  item(json: string): string;
  /** The object of a watch event. */
  event(json: string): string;
}

const parse = (json: string): KubeObject => JSON.parse(json) as KubeObject;

/** What people see who look with a command line or a browser. */
function wantsPretty({ headers, query }: HubRequest): boolean {
  const said = query.get('pretty') ?? '';
  if (said !== '') return flagOf(query, 'pretty') === true;
  return /^(?:curl|Wget|Mozilla\/5\.0)/.test(headers['user-agent'] ?? '');
}

function objectWriter(form: Form, request: HubRequest): (json: string) => string {
  if (form.type === 'yaml') return (json) => stringify(JSON.parse(json));
  if (!wantsPretty(request)) return (json) => `${json}\n`;
  return (json) => `${JSON.stringify(JSON.parse(json), null, 2)}\n`;
}

function plainPresenter(form: Form, { request, info }: Read): Presenter {
  return {
    metadataOnly: false,
    contentType: form.type === 'yaml' ? 'application/yaml' : 'application/json',
    object: objectWriter(form, request),
    listHead: (metadata, kind) =>
      listHead({ kind: `${kind ?? ''}List`, apiVersion: apiVersionOf(heldResource(info)) }, metadata),
    item: (json) => json,
    event: (json) => json,
  };
}

function metadataPresenter(form: Form, { request }: Read): Presenter {
  const partial = (json: string): string => JSON.stringify(partialObject(parse(json), form.version));
  const write = objectWriter(form, request);
  const type = { kind: 'PartialObjectMetadataList', apiVersion: `meta.k8s.io/${form.version}` };
  return {
    metadataOnly: true,
    contentType: form.type === 'yaml' ? 'application/yaml' : 'application/json',
    object: (json) => write(partial(json)),
    listHead: (metadata) => listHead(type, metadata),
    item: partial,
    event: partial,
  };
}

function eventTables(writer: TableWriter): (json: string) => string {
  let first = true;
  return (json) => {
    const object = parse(json);
    const { resourceVersion = '' } = object.metadata;
    const head = writer.head(listMetadata({ resourceVersion }), first);
    first = false;
    return `${head}${writer.row(object)}]}`;
  };
}

function tablePresenter(form: Form, { request, info }: Read, deps: ReadsParts): Presenter {
  const options = { includeObject: includeObjectOf(request.query), version: form.version };
  const printer = printerOf(heldResource(info), deps.types.customColumns);
  const writer = createTableWriter(options, { printer, now: () => deps.clock.now() });
  const write = objectWriter(form, request);
  return {
    metadataOnly: false,
    contentType: 'application/json',
    object: (json) => write(eventTables(writer)(json)),
    listHead: (metadata) => writer.head(listMetadata(metadata), true),
    item: (json) => writer.row(parse(json)),
    event: eventTables(writer),
  };
}

const listOnly = 'PartialObjectMetadataList';

/** The API server refuses to write a list as an object and the other way round. */
function checkShape(as: Form['as'], verb: string): void {
  const wrong = (verb === 'get' && as === listOnly) || (verb === 'list' && as === 'PartialObjectMetadata');
  if (!wrong) return;
  const what = verb === 'get' ? 'not a list' : 'a list';
  const message = `you requested ${as}, but the requested object is ${what}`;
  throw statusError('Unsupported', message, { status: 406, reason: 'NotAcceptable' });
}

/** Throws 406 for a client that takes nothing that we have, 400 for parameters that make no sense. */
export function createPresenter(read: Read, deps: ReadsParts): Presenter {
  const { request, info } = read;
  const form = negotiate(request.headers['accept'], { yaml: info.verb === 'get' });
  checkShape(form.as, info.verb);
  switch (form.as) {
    case 'object':
      return plainPresenter(form, read);
    case 'PartialObjectMetadata':
    case 'PartialObjectMetadataList':
      return metadataPresenter(form, read);
    case 'Table':
      return tablePresenter(form, read, deps);
  }
}
