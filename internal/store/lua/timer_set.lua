-- timer_set.lua: sets when a seat is looked at again; with an end to warn of,
-- tells that a session is about to end.
-- KEYS  1 events  2 seats  3 timers  4 warned
-- ARGV  4 MAC  5 line  6 session ('' for none)  7 next look (ms), '' for never
--       8 end of which the person is warned (ms), '' for none  9 reason  10 trace
-- Returns 1 if the timer was set, 0 if the seat is another session's.
-- Invariant: a session is warned of one end once; who logged in meanwhile keeps
-- the timer of that login.

local mac, line, session = ARGV[4], tonumber(ARGV[5]), ARGV[6]
local name = mac .. '/' .. ARGV[5]
local b = at(seats_of(mac), line)
if (b and b.session or '') ~= session then return 0 end
if ARGV[7] == '' then
  redis.call('ZREM', K.timers, name)
else
  redis.call('ZADD', K.timers, ARGV[7], name)
end
if ARGV[8] == '' then return 1 end
local ends = tonumber(ARGV[8])
local told = load(K.warned, name)
if told and told.session == session and told['end'] == ends then return 1 end
save(K.warned, name, {session = session, ['end'] = ends})
emit({type = 'session.warning', mac = mac, line = line, number = b.number, session = session,
  trace = given(ARGV[10]), reason = ARGV[9], ms = ends - now})
return 1
