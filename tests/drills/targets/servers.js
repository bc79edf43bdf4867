'use strict';
/* An S3 and a WebHDFS that are not ours, on 127.0.0.1, below a directory:
 * s3rver, and webhdfs-proxy, to which it is left to its user where the bytes
 * go. usage: node servers.js DIRECTORY WEBHDFS_PORT
 * Prints S3's port when both listen; ends with its standard input. */
const fs = require('fs');
const path = require('path');
const S3rver = require('s3rver');
const webhdfs = require('webhdfs-proxy');

const [top, port] = process.argv.slice(2);
const missing = (name) =>
  new webhdfs.WebHDFSAPIError('FileNotFoundException', { path: name });
const json = (res, value) => {
  res.writeHead(200, { 'content-type': 'application/json' });
  res.end(JSON.stringify(value));
};

/* As Hadoop: a RENAME replaces nothing, a DELETE of nothing is false. */
function handle(err, name, operation, params, req, res, next) {
  const file = path.join(top, 'hdfs', path.normalize(name));
  if (err) {
    return next(err);
  }
  const there = fs.existsSync(file);
  if (['open', 'getfilestatus'].includes(operation) && !there) {
    return next(missing(name));
  }
  switch (operation) {
    case 'create': {
      fs.mkdirSync(path.dirname(file), { recursive: true });
      const out = fs.createWriteStream(file);
      out.on('error', next);
      out.on('finish', () => { res.writeHead(201); res.end(); });
      return req.pipe(out);
    }
    case 'open':
      res.writeHead(200, { 'content-type': 'application/octet-stream' });
      return fs.createReadStream(
        file, { start: parseInt(params.offset || '0', 10) }).pipe(res);
    case 'rename': {
      const to = path.join(top, 'hdfs', path.normalize(params.destination));
      const may = there && !fs.existsSync(to);
      if (may) {
        fs.renameSync(file, to);
      }
      return json(res, { boolean: may });
    }
    case 'delete':
      if (there) {
        fs.unlinkSync(file);
      }
      return json(res, { boolean: there });
    case 'getfilestatus':
      return json(res, { FileStatus: {
        length: fs.statSync(file).size, type: 'FILE' } });
    default:
      return next(new Error('no operation of a backup'));
  }
}

const s3 = new S3rver({
  address: '127.0.0.1', port: 0, silent: true, directory: path.join(top, 's3'),
  configureBuckets: [{ name: 'bucket' }] });
webhdfs.createServer({ host: '127.0.0.1', http: { port: Number(port) } },
  handle, async (err) => {
    if (err) {
      throw err;
    }
    console.log((await s3.run()).port);
  });
process.stdin.on('end', () => process.exit(0)).resume();
