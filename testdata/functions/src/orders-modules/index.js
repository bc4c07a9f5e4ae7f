'use strict';
const axios = require('axios');
const jwt = require('jsonwebtoken');
const _ = require('lodash');
const minimist = require('minimist');
const qs = require('qs');

const flags = minimist((process.env.ORDERS_FLAGS || '').split(' '));

// handler returns the open orders of the customer that the token names.
exports.handler = async (event) => {
  const claims = jwt.verify(event.headers.authorization, process.env.ORDERS_KEY);
  const query = qs.parse(event.rawQueryString);
  const { data } = await axios.get(process.env.ORDERS_URL, { params: { customer: claims.sub } });
  const orders = _.orderBy(_.filter(data, { open: true }), ['placed'], ['desc']);
  return { statusCode: 200, body: JSON.stringify(_.take(orders, query.limit || flags.limit || 20)) };
};
