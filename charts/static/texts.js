/**
 * Times, values and names as people read them.
 */

const COUNTED = /^(?!ratio$|percent$|s$|bytes)./;

/**
 * Write a number with two digits at least.
 * @param {number} number
 * @returns {string}
 */
function two(number) {
  return String(number).padStart(2, "0");
}

/**
 * Write seconds as 0:15, 12:30 or 3:05:00; days are counted before.
 * @param {number} seconds
 * @returns {string}
 */
export function clockText(seconds) {
  const sign = seconds < 0 ? "-" : "";
  const whole = Math.round(Math.abs(seconds));
  const days = Math.floor(whole / 86400);
  const hours = Math.floor((whole % 86400) / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const tail = `${two(minutes)}:${two(whole % 60)}`;
  if (days) return `${sign}${days}d ${two(hours)}:${tail}`;
  return hours ? `${sign}${hours}:${tail}` : `${sign}${minutes}:${two(whole % 60)}`;
}

/**
 * Write a value with its unit, short enough for an axis.
 * @param {number|null|undefined} value
 * @param {string} unit
 * @returns {string}
 */
export function valueText(value, unit) {
  if (value === null || value === undefined) return "–";
  if (unit === "ratio") return `${short(value * 100)} %`;
  if (unit === "percent") return `${short(value)} %`;
  if (unit === "s") return secondsText(value);
  if (unit === "bytes" || unit === "bytes/s") return bytesText(value) + unit.slice(5);
  return unit === "1" || unit === "" ? short(value) : `${short(value)} ${unit}`;
}

/**
 * Write a value for an axis: of a count by its number alone, for its unit would not fit there.
 * @param {number} value
 * @param {string} unit
 * @returns {string}
 */
export function axisText(value, unit) {
  return COUNTED.test(unit) ? short(value) : valueText(value, unit.replace(/^bytes\/s$/, "bytes"));
}

/**
 * @param {number} value
 * @returns {string}
 */
function secondsText(value) {
  const size = Math.abs(value);
  if (size === 0) return "0 s";
  if (size < 1e-3) return `${short(value * 1e6)} µs`;
  if (size < 1) return `${short(value * 1e3)} ms`;
  if (size < 600) return `${short(value)} s`;
  if (size < 36000) return `${short(value / 60)} min`;
  return `${short(value / 3600)} h`;
}

/**
 * @param {number} value
 * @returns {string}
 */
function bytesText(value) {
  const names = ["B", "KiB", "MiB", "GiB", "TiB"];
  let step = 0;
  let scaled = value;
  while (Math.abs(scaled) >= 1024 && step < names.length - 1) {
    scaled /= 1024;
    step += 1;
  }
  return `${short(scaled)} ${names[step]}`;
}

/**
 * @param {number} value
 * @returns {string}
 */
function short(value) {
  const size = Math.abs(value);
  if (size >= 1e15) return value.toExponential(2);
  if (size >= 1e9) return `${trimmed(value / 1e9)} G`;
  if (size >= 1e6) return `${trimmed(value / 1e6)} M`;
  if (size >= 1e4) return `${trimmed(value / 1e3)} k`;
  if (size !== 0 && size < 1e-4) return value.toExponential(1);
  return trimmed(value);
}

/**
 * @param {number} value
 * @returns {string}
 */
function trimmed(value) {
  return String(Number(value.toPrecision(4)));
}

/**
 * The name of a lane or a series with its labels, as PromQL writes them.
 * @param {string} name
 * @param {Record<string, string>} labels
 * @returns {string}
 */
export function withLabels(name, labels) {
  const parts = Object.entries(labels).map(([key, text]) => `${key}="${text}"`);
  return parts.length ? `${name}{${parts.join(", ")}}` : name;
}
