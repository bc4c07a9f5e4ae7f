'use strict';
const bytes = require('bytes');
const ms = require('ms');
const statuses = require('statuses');

// handler reports how long this instance has been up and what it uses.
exports.handler = async () => ({
  statusCode: 200,
  body: JSON.stringify({
    status: statuses(200),
    up: ms(Math.round(process.uptime() * 1000)),
    memory: bytes(process.memoryUsage().rss),
  }),
});
