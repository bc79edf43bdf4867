// Words of the console: en.js and zh.js hold all of them.
import en from './en.js'
import zh from './zh.js'

const words = { en, zh }
const KEY = 'metagate.language'
let language = localStorage.getItem(KEY) ||
  (navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en')
if (!words[language]) language = 'en'

export const languages = [['en', 'English'], ['zh', '中文']]
export const languageNow = () => language

export function setLanguage(l) {
  language = l
  localStorage.setItem(KEY, l)
  document.documentElement.lang = l === 'zh' ? 'zh-CN' : 'en'
}
setLanguage(language)

export const has = key => words[language][key] !== undefined

// t('prof.seconds', { n: 3 }): {n} stands for 3.
export function t(key, values = {}) {
  const text = words[language][key]
  if (text === undefined) return key
  return text.replace(/\{(\w+)\}/g, (all, name) => name in values ? values[name] : all)
}

const locale = () => language === 'zh' ? 'zh-CN' : 'en-GB'

export function time(ms) {
  if (!ms) return '–'
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'medium' }).format(ms)
}

const UNITS = [['day', 86400000], ['hour', 3600000], ['minute', 60000], ['second', 1000]]
export function ago(ms) {
  if (!ms) return '–'
  const past = Date.now() - ms
  const [unit, size] = UNITS.find(([, s]) => Math.abs(past) >= s) || UNITS[3]
  return new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' }).format(-Math.round(past / size), unit)
}

export function number(n, digits = 0) {
  return new Intl.NumberFormat(locale(), { maximumFractionDigits: digits }).format(n)
}

export function share(x) {
  return new Intl.NumberFormat(locale(), {
    style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1
  }).format(x)
}

export function bytes(n) {
  const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let i = 0
  for (; Math.abs(n) >= 1024 && i + 1 < names.length; i++) n /= 1024
  return `${number(n, i ? 1 : 0)} ${names[i]}`
}
