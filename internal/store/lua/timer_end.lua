-- timer_end.lua: ends a session whose time has come, after seat.lua.
-- KEYS  1 events  2 devices  3 extensions  4 phones  5 seats  6 seated  7 logins
--       8 contacts  9 contact-expiry  10 contact-rev  11 traces  12 reloads
--       13 reload-due  14 dialogs  15 timers  16 warned  17 desks  18 desk-of
--       19 active
-- ARGV  4 MAC  5 line  6 session  7 reason  8 trace  9 session of a returning owner
--       10 of an idle end: the last activity it was decided on (ms), else ''
-- Returns 1 if the session has ended by this, else 0.
-- Invariant: a session ends once; an idle end spares a desk of which a device was
-- touched since it was decided, or is in a call; the seat is then looked at again,
-- at once or after a little.

local CALL_AGAIN = 5000 -- ms
local mac, line, session = ARGV[4], tonumber(ARGV[5]), ARGV[6]
local b = at(seats_of(mac), line)
if not b or b.session ~= session then return 0 end
if ARGV[10] ~= '' then
  for _, s in ipairs(taken_with(mac, b)) do
    local last = tonumber(redis.call('HGET', K.active, s.mac) or '0')
    local busy = busy_until(s.mac) > now
    if last > tonumber(ARGV[10]) or busy then
      redis.call('ZADD', K.timers, string.format('%.0f', now + (busy and CALL_AGAIN or 0)), mac .. '/' .. ARGV[5])
      return 0
    end
  end
end
leave_all(mac, b, false, ARGV[7], nil, ARGV[8], ARGV[9], false, nil)
return 1
