-- Keeps an answer for the rest of its life, and gives the right to get it back.
-- KEYS: the answer, its lock, the index (answers by the moment at which they lapse), the sizes (of each, and in all).
-- ARGV: the token, the bytes, ms since they were received, ms for which they are kept, ms for which they are valid by the
-- spec, most bytes in all, and the prefix of every answer's name.
-- Reply: 'kept', or why not.
local answer, lock, index, sizes = unpack(KEYS)
local token, body, age, kept, valid, most, prefix = unpack(ARGV)
-- What the names, the times and the lines in index and sizes take, about.
local OVERHEAD = 512
local LONGEST = 1100000

local holder = redis.pcall('GET', lock)
if type(holder) == 'string' and holder ~= token and holder ~= 'failed' then return 'overtaken' end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local left = kept - age
local size = #body + OVERHEAD
if left <= 0 then
  if holder == token then redis.call('DEL', lock) end
  return 'too old'
end

-- A store without memory left says so at the first command that takes some, and not after another one has written.
local total = tonumber(redis.pcall('HGET', sizes, 'total')) or 0
local first = redis.pcall('HSET', sizes, 'total', string.format('%.0f', total))
if type(first) == 'table' and first.err:find('OOM', 1, true) then
  if holder == token then redis.call('DEL', lock) end
  return 'no room'
end

for name, kind in pairs({[index] = 'zset', [sizes] = 'hash'}) do
  local found = redis.call('TYPE', name).ok
  if found ~= kind and found ~= 'none' then redis.call('UNLINK', name) end
end

local function forget(name)
  redis.call('ZREM', index, name)
  total = total - (tonumber(redis.call('HGET', sizes, name)) or 0)
  redis.call('HDEL', sizes, name)
end

forget(answer)
for _, name in ipairs(redis.call('ZRANGEBYSCORE', index, '-inf', now, 'LIMIT', 0, 100)) do forget(name) end
while total + size > tonumber(most) do
  -- What lapses first is missed least.
  local first = redis.call('ZRANGE', index, 0, 0)[1]
  if not first then
    total = 0
    break
  end
  if first:sub(1, #prefix) == prefix then redis.call('UNLINK', first) end
  forget(first)
end

redis.call('UNLINK', answer)
redis.call('HSET', answer, 'at', string.format('%.0f', now - age), 'valid', valid, 'body', body)
redis.call('PEXPIRE', answer, string.format('%.0f', left))
redis.call('ZADD', index, string.format('%.0f', now + left), answer)
redis.call('HSET', sizes, answer, size, 'total', string.format('%.0f', total + size))
redis.call('EXPIRE', index, LONGEST)
redis.call('EXPIRE', sizes, LONGEST)
if holder == token then redis.call('DEL', lock) end
return 'kept'
