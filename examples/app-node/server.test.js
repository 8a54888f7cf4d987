'use strict';

const assert = require('node:assert');
const { test } = require('node:test');
const { createApp } = require('./server.js');

async function get(t, path) {
  const server = createApp('blue').listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => server.close());
  const res = await fetch(`http://127.0.0.1:${server.address().port}${path}`, { headers: { connection: 'close' } });
  return { status: res.status, body: await res.text() };
}

test('greets by name', async (t) => {
  assert.deepStrictEqual(await get(t, '/'), { status: 200, body: 'Hello from blue!' });
});

test('computes a hash', async (t) => {
  const { status, body } = await get(t, '/computation');
  assert.strictEqual(status, 200);
  assert.match(body, /^[0-9a-f]{32}$/);
});
