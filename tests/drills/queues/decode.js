'use strict';
/* Reads a JSON object a line, {"schema": of avro, or null, "data": hex}, and
 * prints what avsc, or protobufjs (of canal), makes of it, likewise. Bytes are
 * {"hex": …}, numbers of 64 bits texts. */
const readline = require('readline');
const avro = require('avsc');
const protobuf = require('protobufjs');

/* avsc refuses what a double does not hold. */
const long = avro.types.LongType.__with({
  fromBuffer: (b) => b.readBigInt64LE(),
  toBuffer: (v) => { const b = Buffer.alloc(8); b.writeBigInt64LE(v); return b; },
  fromJSON: BigInt,
  toJSON: String,
  isValid: (v) => typeof v === 'bigint',
  compare: (a, b) => (a < b ? -1 : a > b ? 1 : 0),
});

const typeHook = (s) => (s === 'long' || s.type === 'long' ? long : undefined);

/* alibaba's messages, by their published numbers. */
const canal = protobuf.parse(`syntax = "proto2";
message Packet { optional int32 version = 2; optional int32 type = 3;
                 optional bytes body = 5; }
message Messages { optional int64 batch_id = 1; repeated bytes messages = 2; }
message Pair { optional string key = 1; optional string value = 2; }
message Header { optional int32 version = 1; optional string serverenCode = 5;
                 optional int64 executeTime = 6; optional int32 sourceType = 7;
                 optional string schemaName = 8; optional string tableName = 9;
                 optional int32 eventType = 11; repeated Pair props = 12; }
message Entry { optional Header header = 1; optional int32 entryType = 2;
                optional bytes storeValue = 3; }
message Column { optional int32 sqlType = 2; optional string name = 3;
                 optional bool isKey = 4; optional bool updated = 5;
                 optional bool isNull = 6; optional string value = 8;
                 optional string mysqlType = 10; }
message RowData { repeated Column before = 1; repeated Column after = 2; }
message RowChange { optional int32 eventType = 2; optional bool isDdl = 10;
                    optional string sql = 11; repeated RowData rowDatas = 12;
                    optional string ddlSchemaName = 14; }
`, { keepCase: true }).root;

function ofCanal(data) {
  const packet = canal.lookupType('Packet').decode(data);
  const entries = canal.lookupType('Messages').decode(packet.body).messages;
  const entry = canal.lookupType('Entry').decode(entries[0]);
  const change = canal.lookupType('RowChange').decode(entry.storeValue);
  return { type: packet.type, n: entries.length,
    table: entry.header.tableName, eventType: change.eventType,
    rows: change.rowDatas.map((r) => ({ before: r.before, after: r.after })) };
}

const plain = (key, v) => {
  if (typeof v === 'bigint') {
    return String(v);
  }
  return v && v.type === 'Buffer' ? { hex: Buffer.from(v.data).toString('hex') } : v;
};

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const { schema, data } = JSON.parse(line);
  const bytes = Buffer.from(data, 'hex');
  const said = schema === null ? ofCanal(bytes)
    : avro.Type.forSchema(JSON.parse(schema), { typeHook }).fromBuffer(bytes);
  console.log(JSON.stringify(said, plain));
});
