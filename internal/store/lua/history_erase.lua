-- history_erase.lua: puts a pseudonym in the place of a number in what a phone was
-- served.
-- KEYS  1 history:<MAC>                                   (carries {tenant})
-- ARGV  4 number  5 pseudonym
-- Returns the names of the bodies that carried that number's account.
-- Invariant: no entry is removed or moved.

local bodies = {}
for i, text in ipairs(redis.call('LRANGE', K.history, 0, -1)) do
  local e = cjson.decode(text)
  if e.number == ARGV[4] then
    e.number = ARGV[5]
    redis.call('LSET', K.history, i - 1, cjson.encode(e))
    bodies[#bodies + 1] = e.body
  end
end
return bodies
