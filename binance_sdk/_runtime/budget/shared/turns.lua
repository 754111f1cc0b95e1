-- How the consumers of a group's window take turns. It slides, so there is no moment at which a part of it could be kept
-- for each. Instead, whoever has used less of it than others, for each unit of its share, comes before them: those who
-- wait stand in a short list with what they want, and that is left for them by all who have used more.
-- A part is {number of a length of the window, used in it, used in the one before}.
-- An entry of the list is {consumer, level, amount, until}.

local LONGEST_LIST = 32
-- Seconds for which it is left after the moment at which the consumer was told to ask again.
local GRACE = 1

local turns = {}

function turns.rolled(w, part, now)
  local number = math.floor(now / w.seconds)
  if part and part[1] == number then return part end
  return {number, 0, part and part[1] == number - 1 and part[2] or 0}
end

-- What a consumer has used in about one length of the window.
function turns.used(w, part, now)
  return part[2] + part[3] * (1 - (now / w.seconds - part[1]))
end

local function level(w, consumer, part, now) return turns.used(w, part, now) / consumer.share end

-- Whether an amount is left after what those before it want.
function turns.has_room(w, consumer, part, amount, now, share)
  local waiting = w.waiting
  if not waiting or not waiting[1] then return true end
  local room, mine = math.floor(w.limit * share + 1e-9) - sliding.used(w) - amount, level(w, consumer, part, now)
  for _, entry in ipairs(waiting) do
    if entry[1] ~= consumer.id and entry[4] > now and entry[2] < mine then room = room - entry[3] end
  end
  return room >= 0
end

-- Put a consumer on the list, or take it off where it wants nothing more; the list holds those who have used least.
function turns.wait(w, consumer, part, amount, now, again)
  local waiting = {}
  for _, entry in ipairs(w.waiting or {}) do
    if entry[1] ~= consumer.id and entry[4] > now then table.insert(waiting, entry) end
  end
  if amount > 0 then
    table.insert(waiting, {consumer.id, level(w, consumer, part, now), amount, again + GRACE})
    table.sort(waiting, function(a, b) return a[2] < b[2] end)
    waiting[LONGEST_LIST + 1] = nil
  end
  w.waiting = waiting
end
