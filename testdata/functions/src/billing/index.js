'use strict';
const axios = require('axios'); // from the layer
const minimist = require('minimist');

const flags = minimist((process.env.BILLING_FLAGS || '').split(' '));

// handler asks the billing service for one invoice.
exports.handler = async (event) => {
  const { data } = await axios.get(`${flags.url}/invoices/${encodeURIComponent(event.id)}`);
  return data;
};
