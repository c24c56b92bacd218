-- subscription_save.lua: keeps a subscription, new or refreshed.
-- KEYS  1 seats  2 subscriptions  3 sub-expiry  4 subs-of:<watcher>
-- ARGV  4 id  5 subscription (JSON)
-- Returns "ok" or "over" (the session that subscribes has ended).
-- Invariant: subscriptions, sub-expiry and subs-of agree; a lit one stays lit.

local id, text = ARGV[4], ARGV[5]
local sub = cjson.decode(text)
local session, mac = given(sub.session), given(sub.mac)
if session and mac then
  local bound = false
  for _, b in ipairs(seats_of(mac).bindings) do
    if b.session == session then bound = true end
  end
  if not bound then return 'over' end
end
local old = load(K.subscriptions, id)
if old then
  redis.call('SREM', K.subs_of, (given(old.session) or '-') .. '|' .. id)
  if old.lit and not sub.lit then text = marked(text, '"lit":true,') end
end
redis.call('HSET', K.subscriptions, id, text)
redis.call('ZADD', K.sub_expiry, string.format('%.0f', sub.expires), id)
redis.call('SADD', K.subs_of, (session or '-') .. '|' .. id)
return 'ok'
