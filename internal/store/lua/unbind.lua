-- unbind.lua: ends the binding of a seat; the desk's owner returns to it.
-- KEYS  1 events  2 devices  3 extensions  4 phones  5 seats  6 seated  7 logins
--       8 contacts  9 contact-expiry  10 contact-rev  11 traces  12 reloads
--       13 reload-due  14 dialogs  15 timers  16 warned  17 request:<id>
--                                                           (all carry {tenant})
-- ARGV  4 request (JSON): mac, line, number, trace, door, by, force, owner_session
-- Returns JSON: {"refused"} or {"outcome": hotdesk.Outcome}. The same request id
-- returns the first answer again.
-- Invariant: as bind.lua; a refusal changes nothing.

local said = answered()
if said then return said end

local req = cjson.decode(ARGV[4])
local mac = req.mac
local b = at(seats_of(mac), req.line)
if not b or (given(req.number) and b.number ~= req.number) then return answer({refused = 'nobody_here'}) end

local reason = 'logout'
if req.by == 'directory' then
  reason = 'removed'
elseif is_over(b) then
  reason = 'expired'
end
b = unseat(mac, req.line, reason, given(req.door), req.trace)
local owner = after_leaving(mac, b, req.owner_session, given(req.door), req.trace, req.force)
return answer({outcome = {binding = owner, trace = req.trace, ended = {ended_at(mac, b)}}})
