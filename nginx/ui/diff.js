// What differs between two documents, line by line of their printed form.
import { h } from './dom.js'
import { t } from './i18n.js'

const MAX = 2000 // lines; longer ones are shown one after the other

const linesOf = v => v === undefined || v === null ? [] : JSON.stringify(v, null, 2).split('\n')

// [[' ' | '-' | '+', line], …] by the longest common subsequence.
export function compare(before, after) {
  const [a, b] = [linesOf(before), linesOf(after)]
  if (a.length > MAX || b.length > MAX || !a.length || !b.length)
    return [...a.map(l => ['-', l]), ...b.map(l => ['+', l])]
  const same = (x, y) => x.replace(/,$/, '') === y.replace(/,$/, '')
  const w = b.length + 1
  const n = new Uint16Array((a.length + 1) * w)
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      n[i * w + j] = same(a[i], b[j]) ? n[(i + 1) * w + j + 1] + 1 : Math.max(n[(i + 1) * w + j], n[i * w + j + 1])
  const out = []
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && same(a[i], b[j])) { out.push([' ', b[j++]]); i++ }
    else if (j >= b.length || (i < a.length && n[(i + 1) * w + j] >= n[i * w + j + 1])) out.push(['-', a[i++]])
    else out.push(['+', b[j++]])
  }
  return out
}

export function diff(before, after) {
  const words = { '-': t('diff.del'), '+': t('diff.add') }
  return h('div', { class: 'diff mono', tabindex: 0, role: 'group', 'aria-label': t('diff.label') },
    compare(before, after).map(([mark, line]) => h('div', { class: mark === '+' ? 'add' : mark === '-' ? 'del' : null },
      h('span', { class: 'mark' }, mark), words[mark] ? h('span', { class: 'unseen' }, words[mark]) : null, line)))
}
