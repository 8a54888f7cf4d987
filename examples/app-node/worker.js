// One computation: 50,000 chained MD5 hashes, each over the hash before it and the current date.
'use strict';

const { createHash } = require('node:crypto');
const { parentPort } = require('node:worker_threads');

let hash = '';
for (let i = 0; i < 50_000; i++) {
  hash = createHash('md5').update(hash + new Date()).digest('hex');
}
parentPort.postMessage(hash);
