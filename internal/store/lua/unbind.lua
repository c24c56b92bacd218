-- unbind.lua: ends the binding of a seat and those that were taken with it; the
-- desk's owner returns to it.
-- KEYS  1 events  2 devices  3 extensions  4 phones  5 seats  6 seated  7 logins
--       8 contacts  9 contact-expiry  10 contact-rev  11 traces  12 reloads
--       13 reload-due  14 dialogs  15 timers  16 warned  17 desks  18 desk-of
--       19 request:<id>                                     (all carry {tenant})
-- ARGV  4 request (JSON): mac, line, number, session, reason, trace, door, by,
--       force, owner_session
-- Returns JSON: {"refused"} or {"outcome": hotdesk.Outcome}. The same request id
-- returns the first answer again.
-- Invariant: as bind.lua; a refusal changes nothing. What the directory removed
-- takes only its own seat with it.

local said = answered()
if said then return said end

local req = cjson.decode(ARGV[4])
local mac = req.mac
local b = at(seats_of(mac), req.line)
if not b or (given(req.number) and b.number ~= req.number) or (given(req.session) and b.session ~= req.session) then
  return answer({refused = 'nobody_here'})
end

local alone = req.by == 'directory'
local reason = given(req.reason) or 'logout'
if alone then
  reason = 'removed'
elseif not given(req.reason) and is_over(b) then
  reason = 'expired'
end
local owner, ended = leave_all(mac, b, alone, reason, given(req.door), req.trace, req.owner_session, req.force, req.by)
return answer({outcome = {binding = owner, trace = req.trace, ended = ended}})
