'use strict';
const _ = require('lodash');

// greet answers an HTTP request of Google Cloud Functions.
exports.greet = (req, res) => res.send(`Hello ${_.escape(req.query.name || 'world')}`);
