-- subscription_lit.lua: the first NOTIFY of a subscription got its 200.
-- KEYS  1 events  2 reloads  3 subscriptions
-- ARGV  4 id
-- Returns 1 the first time, else 0.
-- Invariant: one event per subscription.

local text = redis.call('HGET', K.subscriptions, ARGV[4])
local sub = text and cjson.decode(text)
if not sub or sub.lit then return 0 end
redis.call('HSET', K.subscriptions, ARGV[4], marked(text, '"lit":true,'))
emit({type = 'subscription.lit', mac = given(sub.mac), number = given(sub.number), session = given(sub.session),
  target = sub.target, trace = open_trace(given(sub.mac))})
return 1
