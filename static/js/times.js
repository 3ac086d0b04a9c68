// @ts-check
/** Times as people read them. Pure: the language and the present are passed in. */

/**
 * @param {string} at ISO 8601
 * @param {string} language of the page, such as "zh-hans" or "en"
 * @returns {string} 14:05
 */
export function clock(at, language) {
  return new Intl.DateTimeFormat(language, {
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(new Date(at));
}

/**
 * @param {string} at ISO 8601
 * @param {Date} now
 * @param {string} language
 * @returns {string} today, yesterday, or the date; the year only when it is another one
 */
export function day(at, now, language) {
  const date = new Date(at);
  const midnight = (/** @type {Date} */ one) =>
    Date.UTC(one.getFullYear(), one.getMonth(), one.getDate());
  const days = Math.round((midnight(date) - midnight(now)) / 86_400_000);
  if (days === 0 || days === -1) {
    const word = new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(days, "day");
    return word.charAt(0).toLocaleUpperCase(language) + word.slice(1);
  }
  return new Intl.DateTimeFormat(language, {
    month: "long",
    day: "numeric",
    weekday: "short",
    year: date.getFullYear() === now.getFullYear() ? undefined : "numeric",
  }).format(date);
}

/**
 * @param {string} since ISO 8601
 * @param {Date} now
 * @returns {{hours: number, minutes: number, seconds: number}} never negative: clocks differ
 */
export function elapsed(since, now) {
  const all = Math.max(0, Math.floor((now.getTime() - new Date(since).getTime()) / 1000));
  return {
    hours: Math.floor(all / 3600),
    minutes: Math.floor((all % 3600) / 60),
    seconds: all % 60,
  };
}
