// A flame graph of stacks, root on top; of two profiles their difference. It is
// a tree for screen readers and the keyboard: arrows go from frame to frame,
// Enter zooms, Escape takes the zoom back.
import { h, fill } from './dom.js'
import { t, share } from './i18n.js'

const ROW = 20 // px

const node = (name, parent) => ({ name, parent, value: 0, base: 0, self: 0, kids: new Map() })

// Stacks [[names root first, count], …]; those of base are what they are
// compared with, scaled to the same sum.
export function tree(stacks, base) {
  const root = node('', null)
  const put = (list, key, scale) => {
    for (const [names, count] of list) {
      let at = root
      at[key] += count * scale
      for (const name of names) {
        let kid = at.kids.get(name)
        if (!kid) at.kids.set(name, kid = node(name, at))
        kid[key] += count * scale
        at = kid
      }
      if (key === 'value') at.self += count
    }
  }
  put(stacks, 'value', 1)
  if (base) {
    const sum = base.reduce((s, [, n]) => s + n, 0)
    put(base, 'base', sum ? root.value / sum : 0)
  }
  return root
}

// By function: self and total, each stack counted once.
export function functions(stacks) {
  const all = new Map()
  const of = name => {
    let f = all.get(name)
    if (!f) all.set(name, f = { name, self: 0, total: 0 })
    return f
  }
  for (const [names, count] of stacks) {
    for (const name of new Set(names)) of(name).total += count
    if (names.length) of(names[names.length - 1]).self += count
  }
  return [...all.values()]
}

function hue(name) {
  let x = 0
  for (let i = 0; i < name.length; i++) x = (x * 31 + name.charCodeAt(i)) >>> 0
  return x % 6
}

function colour(n, compared, total) {
  if (compared) {
    const change = (n.value - n.base) / total
    const step = Math.abs(change) < 0.002 ? 0 : Math.abs(change) < 0.02 ? 1 : 2
    return change > 0 ? `more${step}` : `less${step}`
  }
  return n.name.startsWith('[') || n.name.startsWith('0x') ? 'foreign' : `own${hue(n.name)}`
}

// { node, search(text) } of a root; say tells a value in its unit.
export function flame(root, { compared = false, say }) {
  const graph = h('div', { class: 'flame', role: 'tree', 'aria-label': t('flame.label') })
  const info = h('p', { class: 'flame-info', 'aria-live': 'polite' })
  const found = h('span', { class: 'flame-found', 'aria-live': 'polite' })
  const back = h('button', { type: 'button', class: 'small', hidden: true, onclick: () => zoom(root) }, t('flame.reset'))
  const total = root.value || 1
  let top = root
  let wanted = ''
  let focus = null
  let shown = new Map()

  const size = n => compared ? Math.max(n.value, n.base) : n.value
  const kidsOf = n => [...n.kids.values()].sort((a, b) => a.name < b.name ? -1 : 1)
  const matches = n => wanted !== '' && n.name.toLowerCase().includes(wanted)

  function describe(n) {
    const parts = [`${say(n.value)}, ${share(n.value / total)}`]
    if (compared) parts.push(t('flame.before', { share: share(n.base / total) }))
    else parts.push(t('flame.self', { share: share(n.self / total) }))
    return `${n.name || t('flame.all')}: ${parts.join(' · ')}`
  }

  function frame(n, depth, left, width, above) {
    const box = h('div', {
      class: `frame ${above ? 'above ' : ''}${n === root ? 'all' : colour(n, compared, total)}${matches(n) ? ' hit' : ''}`,
      role: 'treeitem', tabindex: -1, 'aria-level': depth + 1, 'aria-label': describe(n),
      title: describe(n)
    }, h('span', {}, n.name || t('flame.all')))
    box.style.left = `${left * 100}%`
    box.style.width = `${width * 100}%`
    box.style.top = `${depth * ROW}px`
    box.addEventListener('click', () => zoom(n))
    box.addEventListener('mouseenter', () => { info.textContent = describe(n) })
    box.addEventListener('focus', () => { info.textContent = describe(n); focus = n })
    shown.set(n, box)
    graph.append(box)
  }

  function lay(n, depth, left, width) {
    if (width * (graph.clientWidth || 1000) < 1) return depth
    frame(n, depth, left, width, false)
    let deepest = depth + 1
    let at = left
    const whole = Math.max(size(n), [...n.kids.values()].reduce((s, k) => s + size(k), 0)) || 1
    for (const kid of kidsOf(n)) {
      const w = width * size(kid) / whole
      deepest = Math.max(deepest, lay(kid, depth + 1, at, w))
      at += w
    }
    return deepest
  }

  function draw() {
    const focused = graph.contains(document.activeElement)
    fill(graph)
    shown = new Map()
    const path = []
    for (let n = top.parent; n; n = n.parent) path.unshift(n)
    path.forEach((n, i) => frame(n, i, 0, 1, true))
    const rows = lay(top, path.length, 0, 1)
    graph.style.height = `${rows * ROW}px`
    const first = shown.get(focus) || shown.get(top)
    if (first) first.tabIndex = 0
    if (first && focused) first.focus({ preventScroll: true })
    back.hidden = top === root
  }

  function zoom(n) {
    top = n
    focus = n
    draw()
    info.textContent = describe(n)
  }

  function go(n) {
    const box = shown.get(n)
    if (!box) return
    for (const b of shown.values()) b.tabIndex = -1
    box.tabIndex = 0
    box.focus()
  }

  graph.addEventListener('keydown', e => {
    const at = focus || top
    const visible = n => n && kidsOf(n).filter(k => shown.has(k))
    const beside = visible(at.parent) || []
    const step = {
      ArrowDown: () => go(visible(at).sort((a, b) => size(b) - size(a))[0]),
      ArrowUp: () => go(at.parent),
      ArrowRight: () => go(beside[beside.indexOf(at) + 1]),
      ArrowLeft: () => go(beside[beside.indexOf(at) - 1]),
      Enter: () => { zoom(at); go(at) },
      ' ': () => { zoom(at); go(at) },
      Home: () => go(root),
      Escape: () => { zoom(root); go(root) }
    }[e.key]
    if (!step) return
    e.preventDefault()
    step()
  })

  // What of all time is below a frame that matches.
  function sum(n) {
    if (matches(n)) return n.value
    let s = 0
    for (const kid of n.kids.values()) s += sum(kid)
    return s
  }

  // its height is ours; what is too narrow to be seen depends on the width
  let wide = 0
  const ro = new ResizeObserver(() => {
    if (graph.clientWidth === wide) return
    wide = graph.clientWidth
    draw()
  })
  ro.observe(graph)
  info.textContent = t('flame.help')
  return {
    node: h('div', { class: 'flame-box' }, h('div', { class: 'flame-head' }, info, found, back),
      h('div', { class: 'flame-scroll' }, graph)),
    search(text) {
      wanted = text.trim().toLowerCase()
      found.textContent = wanted ? t('flame.found', { share: share(sum(root) / total) }) : ''
      draw()
    },
    end: () => ro.disconnect()
  }
}
