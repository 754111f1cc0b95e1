-- Which windows a pool has, and what is done where limits are learned.
-- Needs the windows, fairness.lua and clock.lua before it.

-- A time with all of its digits has to be a text.
local function exact(time) return string.format('%.6f', time) end

local function module_of(w) return w.fixed and fixed or sliding end

-- Nobody knows what was spent before: a small part of the running window may be used, and the rest of it is not ours.
local function distrust(w, now)
  module_of(w).roll(w, now)
  w.given = 0
  if w.fixed then
    w.distrusted = w.index
  else
    w.distrusted_until = now + w.seconds
  end
end

local function add_window(p, kind, is_fixed, known, seconds, limit, now)
  local w
  if known then
    w = module_of(known).beside(known, limit, seconds, now)
  elseif is_fixed then
    w = fixed.new(limit, seconds, offset_of(p, now))
  else
    w = sliding.new(limit, seconds)
  end
  w.kind, w.fixed, w.given = kind, is_fixed, known and known.given or 0
  if is_fixed then
    fixed.roll(w, now)
    w.distrusted = known and known.distrusted == known.index and w.index or -1
    fairness.begin(w)
  else
    w.distrusted_until = known and known.distrusted_until or 0
  end
  if not known then distrust(w, now) end
  p.windows[kind .. '/' .. seconds] = w
end

-- Take over a table of limits: {kind: {'fixed' or 'sliding', {{seconds, limit}, ...}}}.
local function learn_table(p, told, now)
  for kind, row in pairs(told) do
    local known, named = nil, {}
    for _, w in pairs(p.windows) do
      if w.kind == kind and (not known or w.seconds < known.seconds) then known = w end
    end
    for _, pair in ipairs(row[2]) do
      local seconds, limit = pair[1], pair[2]
      local name = kind .. '/' .. seconds
      named[name] = true
      if p.windows[name] then
        p.windows[name].limit = limit
      else
        add_window(p, kind, row[1] == 'fixed', known, seconds, limit, now)
      end
    end
    for name, w in pairs(p.windows) do
      if w.kind == kind and not named[name] then p.windows[name] = nil end
    end
  end
  p.version = exact(now)
end

local function table_of(p)
  local found = {}
  for _, w in pairs(p.windows) do
    found[w.kind] = found[w.kind] or {w.fixed and 'fixed' or 'sliding', {}}
    table.insert(found[w.kind][2], {w.seconds, w.limit})
  end
  return found
end

-- Another version of ours may know a group that the pool was made without.
local function learn_kinds(p, told, now)
  local new = {}
  for kind, row in pairs(told) do new[kind] = row end
  for _, w in pairs(p.windows) do new[w.kind] = nil end
  if next(new) then learn_table(p, new, now) end
end

local function agrees(p, told)
  local unknown = {}
  for name in pairs(p.windows) do unknown[name] = true end
  for kind, row in pairs(told) do
    for _, pair in ipairs(row[2]) do
      local name = kind .. '/' .. pair[1]
      if not unknown[name] or p.windows[name].limit ~= pair[2] then return false end
      unknown[name] = nil
    end
  end
  return next(unknown) == nil
end
