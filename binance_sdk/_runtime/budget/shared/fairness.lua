-- How the consumers of a fixed window leave room for each other. At the turn of a window each that used the one before,
-- or waits, gets a part kept for it: its share of the limit, and no more than it used before or waits for. What is kept
-- for others is all theirs for the first tenth of the window and fades to nothing at its half, so that nothing is left
-- unused for long. A consumer that has waited
-- for a whole window is promised what it waits for, even if that is more than its share.
-- The sum of what is kept is known without looking at every consumer: only the turn of a window looks at all.
-- A part is {window, used, used in the window before, kept}.

local FADES, FADED = 0.1, 0.5
local PROMISED = 0.5

local fairness = {}

-- A window that begins to be counted in its middle keeps nothing for anybody.
function fairness.begin(w)
  w.turn, w.first, w.kept, w.fair, w.promised, w.share = w.index, w.index, 0, 0, {}, 1
end

function fairness.latecomer(w) return {w.index, 0, 0, 0} end

local function kept_at_turn(w, consumer, before)
  local part = math.min(w.fair * consumer.share, math.max(before, consumer.want))
  return math.max(w.promised[consumer.id] or 0, part)
end

local function used_before(w, part)
  return part and part[1] == w.index - 1 and part[2] or 0
end

function fairness.turn(w, name, live, shares)
  local usable, began = math.floor(w.limit * w.share + 1e-9), (w.index - 1) * w.seconds - w.offset
  w.turn, w.kept, w.promised = w.index, 0, {}
  local waiting = {}
  for _, consumer in ipairs(live) do
    if consumer.since > 0 and consumer.since <= began then table.insert(waiting, consumer) end
  end
  table.sort(waiting, function(a, b) return a.since < b.since end)
  local promised = 0
  for _, consumer in ipairs(waiting) do
    promised = promised + consumer.head
    if promised > usable * PROMISED then
      promised = promised - consumer.head
      break
    end
    w.promised[consumer.id] = consumer.head
  end
  w.fair = (usable - promised) / shares
  for _, consumer in ipairs(live) do
    w.kept = w.kept + kept_at_turn(w, consumer, used_before(w, consumer.parts[name]))
  end
end

-- The part of a consumer in the running window; `fairness.turn` has counted what is kept for it.
function fairness.rolled(w, consumer, part)
  if part and part[1] == w.index then return part end
  if not part and w.first == w.index then return fairness.latecomer(w) end
  local before = used_before(w, part)
  return {w.index, 0, before, kept_at_turn(w, consumer, before)}
end

function fairness.ready_at(w, part, amount, now, share)
  local others = w.kept - part[4]
  if others <= 0 then return now end
  local room = math.floor(w.limit * share + 1e-9) - fixed.used(w) - amount
  if room < 0 then return now end
  local fading = w.seconds * (FADED - FADES)
  local begins = fixed.starts(w) + w.seconds * FADES
  if others * math.min(1, 1 - (now - begins) / fading) <= room then return now end
  -- A little later, so that rounding does not say the same again.
  return math.max(now, begins + fading * (1 - room / others)) + 0.001
end

function fairness.take(w, part, amount)
  local kept = math.min(part[4], amount)
  part[2], part[4], w.kept = part[2] + amount, part[4] - kept, w.kept - kept
end

-- A consumer is gone, and what was kept for it is free.
function fairness.leave(w, part)
  if part[1] == w.index then w.kept = w.kept - part[4] end
end
