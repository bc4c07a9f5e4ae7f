# A function that answers a webhook.
require 'addressable/uri'
require 'rack'

def handler(event:, context:)
  target = Addressable::URI.parse(event['url'])
  params = Rack::Utils.parse_nested_query(target.query)
  { statusCode: 200, body: params.to_s }
end
