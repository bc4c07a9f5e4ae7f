'use strict';
const minimist = require('minimist');

// The function answers with the flags that the query holds.
module.exports = async (context, req) => {
  context.res = { body: minimist((req.query.flags || '').split(' ')) };
};
