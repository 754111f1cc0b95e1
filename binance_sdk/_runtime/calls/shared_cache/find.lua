-- An answer that is young enough, or the right to get one: in one step, so that of many who find none, one asks.
-- KEYS: the answer, its lock. ARGV: a token ('' does not ask for the right), ms after which the right lapses, most ms of
-- age ('' as the answer says itself), most bytes of an answer, and '1' where what is there is known to be worthless.
-- Reply: 'answer', ms for which it stays valid, its bytes; or 'yours', 'theirs' or 'alone', and what is wrong with the key.
local answer, lock = KEYS[1], KEYS[2]
local token, lapse, most_age, most_bytes, worthless = unpack(ARGV)

if worthless == '1' then redis.call('UNLINK', answer) end

local problem = ''
local kind = redis.call('TYPE', answer).ok
if kind == 'hash' then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local told = redis.call('HMGET', answer, 'at', 'valid')
  local at, valid = tonumber(told[1]), tonumber(told[2])
  local left = redis.call('PTTL', answer)
  if not at or not valid or left < 0 then
    problem = 'has no times'
  elseif redis.call('HSTRLEN', answer, 'body') > tonumber(most_bytes) then
    problem = 'is too large'
  elseif at <= now then
    left = math.min(left, at + (most_age == '' and valid or tonumber(most_age)) - now)
    if left > 0 then return {'answer', left, redis.call('HGET', answer, 'body')} end
  end
elseif kind ~= 'none' then
  problem = 'is a ' .. kind
end

if token == '' then return {'alone', problem} end
local holder = redis.pcall('GET', lock)
if type(holder) == 'table' and not holder.err:find('WRONGTYPE', 1, true) then return holder end
if holder == 'failed' then return {'alone', problem} end
if type(holder) == 'string' and holder ~= token then return {'theirs', problem} end
-- A store without memory left refuses; its answers can still be read.
local got = redis.pcall('SET', lock, token, 'PX', lapse)
if type(got) == 'table' and got.err then
  if got.err:find('OOM', 1, true) then return {'alone', problem} end
  return got
end
return {'yours', problem}
