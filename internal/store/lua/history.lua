-- history.lua: remembers a file that a phone was served, unless it was the last
-- of that name too.
-- KEYS  1 history:<MAC>  2 rendering:<digest of the masked body>  (both carry {tenant})
-- ARGV  4 entry (JSON)  5 masked body, compressed  6 entries to keep  7 age to keep (ms)
-- Returns 1 if that was new, else 0.
-- Invariant: an entry's body is kept at least as long as the entry.

local e = cjson.decode(ARGV[4])
for _, text in ipairs(redis.call('LRANGE', K.history, 0, -1)) do
  local old = cjson.decode(text)
  if old.file == e.file then
    if old.digest == e.digest then
      redis.call('PEXPIRE', K.history, ARGV[7])
      redis.call('SET', K.rendering, ARGV[5], 'PX', ARGV[7])
      return 0
    end
    break
  end
end
e.node = given(node)
redis.call('LPUSH', K.history, cjson.encode(e))
redis.call('LTRIM', K.history, 0, tonumber(ARGV[6]) - 1)
redis.call('PEXPIRE', K.history, ARGV[7])
redis.call('SET', K.rendering, ARGV[5], 'PX', ARGV[7])
return 1
