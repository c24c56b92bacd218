-- subscription_end.lua: ends subscriptions, with their events.
-- KEYS  1 events  2 subscriptions  3 sub-expiry  4... subs-of:<watcher>, one for
--       each subscription
-- ARGV  4 reason  5 "due" (only those whose time is over) or ''  6... members of
--       subs-of, in the order of their keys
-- Returns how many were ended.
-- Invariant: subscriptions, sub-expiry and subs-of agree; one refreshed since is
-- not ended for being over.

local ended = 0
for i = 6, #ARGV do
  local id = string.sub(ARGV[i], string.find(ARGV[i], '|', 1, true) + 1)
  local score = redis.call('ZSCORE', K.sub_expiry, id)
  if ARGV[5] == '' or (score and tonumber(score) <= now) then
    if drop_subscription(KEYS[i - 2], ARGV[i], ARGV[4]) then ended = ended + 1 end
  end
end
return ended
