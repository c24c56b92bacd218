-- lockout_lift.lua: forgets failures of one extension: from one source, or what
-- was counted over all of them.
-- KEYS  1 events  2 extensions  3 lockouts  4 guessed
--       5 lock:<number>|<source> or guesses:<number>
-- ARGV  4 number  5 source, or '' for the count over all  6 by  7 door  8 '1': no event
-- Returns 1 if there was something to forget, else 0.
-- Invariant: what is lifted is told of once.

local gone = redis.call('DEL', K.count)
if ARGV[5] ~= '' then
  redis.call('ZREM', K.lockouts, ARGV[4] .. '|' .. ARGV[5])
else
  redis.call('ZREM', K.guessed, ARGV[4])
end
if gone == 0 or ARGV[8] ~= '' then return gone end
local known = redis.call('HEXISTS', K.extensions, ARGV[4]) == 1
emit({type = 'lockout.lifted', number = known and ARGV[4] or nil, target = given(ARGV[5]), by = given(ARGV[6]), door = given(ARGV[7]),
  mac = string.match(ARGV[5], '^device:(%x+)$')})
return gone
