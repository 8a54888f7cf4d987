// The workshop's web server: GET / greets, GET /computation hashes in a worker thread.
'use strict';

const path = require('node:path');
const { Worker } = require('node:worker_threads');
const express = require('express');

// createApp makes the Express app; host is the name it greets with.
function createApp(host) {
  const app = express();
  app.disable('x-powered-by');
  app.get('/', (req, res) => res.type('text/plain').send(`Hello from ${host}!`));
  app.get('/computation', (req, res, next) => {
    // A thread for each request: the event loop stays free to answer health checks.
    const worker = new Worker(path.join(__dirname, 'worker.js'));
    worker.once('message', (hash) => res.type('text/plain').send(hash));
    worker.once('error', next);
    res.once('close', () => worker.terminate());
  });
  return app;
}

function main() {
  const port = Number(process.env.PORT || 8080);
  const host = process.env.HOSTNAME || 'local';
  const server = createApp(host).listen(port, () => console.log(`${host} listens on ${port}`));
  // Longer than the 60 s after which a load balancer drops an idle connection.
  server.keepAliveTimeout = 75_000;
  server.headersTimeout = 80_000;
  process.once('SIGTERM', () => {
    server.close(() => console.log(`${host} stopped`)); // once the requests in flight are answered
    server.closeIdleConnections();
  });
}

if (require.main === module) main();

module.exports = { createApp };
