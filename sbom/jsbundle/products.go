package jsbundle

import "sync"

// The names in this file are as of 2026-11, from what the projects themselves
// write at the top of their files. Only products whose text names one package
// are in it: "Angular", "Firebase" and the helpers of TypeScript and Babel stand
// in the files of many.

// product is what a product's name in a comment stands for on npm.
type product struct {
	name string
	not  string // the comment is about something else when it holds this
	must string // and when it does not hold this
}

// products is keyed by what stands in front of the version, in lower case.
var products = sync.OnceValue(func() map[string]product {
	return map[string]product{
		"accounting.js":                      {name: "accounting"},
		"axios":                              {name: "axios"},
		"backbone.js":                        {name: "backbone"},
		"bcrypt.js":                          {name: "bcryptjs"},
		"big.js":                             {name: "big.js"},
		"bignumber.js":                       {name: "bignumber.js"},
		"bluebird build":                     {name: "bluebird"},
		"bootstrap":                          {name: "bootstrap"},
		"bowser":                             {name: "bowser"},
		"bytebuffer.js":                      {name: "bytebuffer"},
		"chart.js":                           {name: "chart.js"},
		"clipboard.js":                       {name: "clipboard"},
		"cookie-es":                          {name: "cookie-es"},
		"decimal.js":                         {name: "decimal.js"},
		"decimal.js-light":                   {name: "decimal.js-light"},
		"determine if an object is a buffer": {name: "is-buffer"},
		"dexie.js":                           {name: "dexie"},
		"dompurify":                          {name: "dompurify"},
		"ejs":                                {name: "ejs"},
		"es6-promise":                        {name: "es6-promise"},
		"eventemitter":                       {name: "wolfy87-eventemitter"},
		"fast-json-patch":                    {name: "fast-json-patch"},
		"fetch-blob":                         {name: "fetch-blob"},
		"filesaver.js":                       {name: "file-saver"},
		"firebase-admin":                     {name: "firebase-admin"},
		"formdata-polyfill":                  {name: "formdata-polyfill"},
		"fuse.js":                            {name: "fuse.js"},
		"hammer.js":                          {name: "hammerjs"},
		"handlebars":                         {name: "handlebars"},
		"howler.js":                          {name: "howler"},
		"ieee754":                            {name: "ieee754"},
		"immutable.js":                       {name: "immutable"},
		"jquery javascript library":          {name: "jquery"},
		"jquery":                             {name: "jquery"},
		"js-cookie":                          {name: "js-cookie"},
		"js-yaml":                            {name: "js-yaml"},
		"jszip":                              {name: "jszip"},
		"jsrsasign":                          {name: "jsrsasign"},
		"jsrsasign(all)":                     {name: "jsrsasign"},
		"localforage":                        {name: "localforage"},
		"lodash":                             {name: "lodash", not: "Custom Build"},
		"lodash (custom build)":              {name: "lodash-es", must: `exports="es"`},
		"lo-dash":                            {name: "lodash"},
		"long.js":                            {name: "long"},
		"lunr":                               {name: "lunr"},
		"lunr.utils":                         {name: "lunr"},
		"lunr.builder":                       {name: "lunr"},
		"lunr.pipeline":                      {name: "lunr"},
		"lunr.stemmer":                       {name: "lunr"},
		"lunr.tokenizer":                     {name: "lunr"},
		"lunr.vector":                        {name: "lunr"},
		"luxon":                              {name: "luxon"},
		"marked":                             {name: "marked"},
		"mobx":                               {name: "mobx"},
		"moment.js":                          {name: "moment"},
		"moment.js locale configuration":     {name: "moment"},
		"moment-timezone.js":                 {name: "moment-timezone"},
		"mustache.js":                        {name: "mustache"},
		"node-domexception":                  {name: "node-domexception"},
		"noble-ciphers":                      {name: "@noble/ciphers"},
		"noble-curves":                       {name: "@noble/curves"},
		"noble-hashes":                       {name: "@noble/hashes"},
		"noble-secp256k1":                    {name: "@noble/secp256k1"},
		"noble-ed25519":                      {name: "@noble/ed25519"},
		"numeral.js":                         {name: "numeral"},
		"object-assign":                      {name: "object-assign"},
		"pako":                               {name: "pako"},
		"papa parse":                         {name: "papaparse"},
		"pdfmake":                            {name: "pdfmake"},
		"perfect-scrollbar":                  {name: "perfect-scrollbar"},
		"protobuf.js":                        {name: "protobufjs"},
		"pusher javascript library":          {name: "pusher-js"},
		"quill editor":                       {name: "quill"},
		"ramda":                              {name: "ramda"},
		"scure-base":                         {name: "@scure/base"},
		"scure-bip32":                        {name: "@scure/bip32"},
		"scure-bip39":                        {name: "@scure/bip39"},
		"showdown":                           {name: "showdown"},
		"sortable":                           {name: "sortablejs"},
		"sprintf-js":                         {name: "sprintf-js"},
		"sweetalert2":                        {name: "sweetalert2"},
		"the buffer module from node.js":     {name: "buffer"},
		"tmp":                                {name: "tmp"},
		"tweetnacl.js":                       {name: "tweetnacl"},
		"underscore.js":                      {name: "underscore"},
		"uri.js":                             {name: "uri-js", not: "Mutating"},
		"video.js":                           {name: "video.js"},
		"vue.js":                             {name: "vue"},
		"vue":                                {name: "vue"},
		"vue-router":                         {name: "vue-router"},
		"vuex":                               {name: "vuex"},
		"pinia":                              {name: "pinia"},
		"xlsx.js":                            {name: "xlsx"},
		"xregexp":                            {name: "xregexp"},
	}
})

// reactFiles maps the names of React's built files to their packages; the
// version in such a comment is the package's own.
func reactFiles() map[string]string {
	return map[string]string{
		"react": "react", "react-jsx-runtime": "react", "react-jsx-dev-runtime": "react",
		"react-dom": "react-dom", "react-dom-client": "react-dom", "react-dom-server": "react-dom", "react-dom-server-legacy": "react-dom", "react-dom-test-utils": "react-dom",
		"react-is": "react-is", "scheduler": "scheduler", "scheduler-tracing": "scheduler", "react-reconciler": "react-reconciler",
		"react-test-renderer": "react-test-renderer", "use-sync-external-store-shim": "use-sync-external-store", "use-subscription": "use-subscription",
	}
}

// mathias maps the short addresses of Mathias Bynens' projects to packages.
// Polyfills of his that others copy along (fromcodepoint, repeat) are not in it.
func mathias() map[string]string {
	return map[string]string{
		"base64": "base-64", "cssesc": "cssesc", "he": "he", "jsesc": "jsesc", "luamin": "luamin", "platform": "platform",
		"punycode": "punycode", "quoted-printable": "quoted-printable", "regenerate": "regenerate", "utf8js": "utf8", "windows-1252": "windows-1252",
	}
}
