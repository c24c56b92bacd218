-- reload_open.lua: opens a reload that somebody asked for.
-- KEYS  1 events  2 seats  3 traces  4 reloads  5 reload-due  6 dialogs
-- ARGV  4 trace (JSON)  5 intent (JSON)  6 due (ms)
-- Returns "ok".
-- Invariant: the reload is for who sits there at this instant, whatever the
-- caller read. While a change of identity is still to be verified, it stays so.

local t, i = cjson.decode(ARGV[4]), cjson.decode(ARGV[5])
local old = load(K.traces, t.mac)
if old and old.id == t.id then return 'ok' end -- this very call, sent again
local who = identity(t.mac, line_of(t))
t.number, t.session, i.session = who.number, who.session, who.session
local open = load(K.reloads, t.mac)
if open and old and open.trace == old.id and open.session == who.session then t.kind = old.kind end
supersede(old, t.id)
t.rev, t.tenant, t.state = 1, tenant, 'running'
save(K.traces, t.mac, t)
i.trace = t.id
open_intent(i, tonumber(ARGV[6]))
emit({type = 'reload.requested', mac = t.mac, line = t.line, number = t.number, session = t.session,
  trace = t.id, door = t.door, brand = t.brand, reason = i.reason})
return 'ok'
