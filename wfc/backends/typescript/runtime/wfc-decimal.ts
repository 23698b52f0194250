// Exact decimal numbers of 34 digits, half even: the language's `Decimal` and `Money`. No dependencies.

const DIGITS = 34;
const LIMIT = 999_999_999_999_999;
const TEXT = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

const power = (exponent: number): bigint => 10n ** BigInt(exponent);
const magnitude = (value: bigint): bigint => (value < 0n ? -value : value);
const width = (value: bigint): number => magnitude(value).toString().length;

/** Divides, the quotient rounded to the nearest, a half to the even neighbour. */
function halfEven(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  const twice = magnitude(value % divisor) * 2n;
  if (twice < divisor || (twice === divisor && quotient % 2n === 0n)) return quotient;
  return value < 0n ? quotient - 1n : quotient + 1n;
}

/** A decimal number: `digits * 10 ** exponent`. Values never change; `1.50` and `1.5` are equal and show differently. */
export class Decimal {
  readonly digits: bigint;
  readonly exponent: number;

  private constructor(digits: bigint, exponent: number) {
    this.digits = digits;
    this.exponent = exponent;
  }

  /** The number that a text such as `12.50` says, or a safe integer is. */
  static of(value: string | number): Decimal {
    const found = Decimal.read(typeof value === "number" ? String(value) : value);
    if (found === undefined) throw new RangeError(`not a decimal number: ${String(value)}`);
    return found;
  }

  /** The same, or nothing where the text is no number. */
  static read(text: string): Decimal | undefined {
    const parts = TEXT.exec(text);
    if (parts === null) return undefined;
    const [, sign = "", whole = "", fraction = "", exponent = "0"] = parts;
    const digits = BigInt(whole + fraction);
    const scale = Number(exponent) - fraction.length;
    return Number.isSafeInteger(scale)
      ? Decimal.#fit(sign === "-" ? -digits : digits, scale)
      : undefined;
  }

  /** Rounds to 34 digits, and stops at the largest finite value. */
  static #fit(digits: bigint, exponent: number): Decimal {
    const extra = width(digits) - DIGITS;
    if (extra > 0) {
      const rounded = halfEven(digits, power(extra));
      const carried = width(rounded) > DIGITS;
      return Decimal.#bounded(
        carried ? rounded / 10n : rounded,
        exponent + extra + (carried ? 1 : 0),
      );
    }
    return Decimal.#bounded(digits, exponent);
  }

  static #bounded(digits: bigint, exponent: number): Decimal {
    if (digits !== 0n && exponent + width(digits) - 1 > LIMIT) {
      const most = power(DIGITS) - 1n;
      return new Decimal(digits < 0n ? -most : most, LIMIT - DIGITS + 1);
    }
    if (exponent < -LIMIT) return new Decimal(0n, -LIMIT);
    return new Decimal(digits, Math.min(exponent, LIMIT));
  }

  plus(other: Decimal): Decimal {
    if (this.digits === 0n) return Decimal.#beside(other, this.exponent);
    if (other.digits === 0n) return Decimal.#beside(this, other.exponent);
    const [high, low] = this.exponent >= other.exponent ? [this, other] : [other, this];
    // A number too small to be seen only tells which way to round.
    const least = high.exponent + Math.min(-1, width(high.digits) - DIGITS - 2);
    const unseen = width(low.digits) + low.exponent - 1 < least;
    const [digits, exponent] = unseen
      ? [low.digits < 0n ? -1n : 1n, least]
      : [low.digits, low.exponent];
    return Decimal.#fit(high.digits * power(high.exponent - exponent) + digits, exponent);
  }

  /** A number plus zero: the finer of both scales, as far as the digits go. */
  static #beside(value: Decimal, exponent: number): Decimal {
    const scale = Math.min(value.exponent, exponent);
    if (value.digits === 0n) return Decimal.#fit(0n, scale);
    const finest = Math.max(scale, value.exponent - DIGITS - 1);
    const digits = value.digits * power(Math.max(0, value.exponent - finest));
    return Decimal.#fit(digits, Math.min(finest, value.exponent));
  }

  minus(other: Decimal): Decimal {
    return this.plus(other.negated());
  }

  negated(): Decimal {
    return new Decimal(-this.digits, this.exponent);
  }

  times(other: Decimal): Decimal {
    return Decimal.#fit(this.digits * other.digits, this.exponent + other.exponent);
  }

  /** Nothing when the divisor is zero. */
  over(other: Decimal): Decimal | undefined {
    if (other.digits === 0n) return undefined;
    const ideal = this.exponent - other.exponent;
    if (this.digits === 0n) return Decimal.#fit(0n, ideal);
    const shift = width(other.digits) - width(this.digits) + DIGITS + 1;
    const top = shift >= 0 ? this.digits * power(shift) : this.digits;
    const bottom = shift >= 0 ? other.digits : other.digits * power(-shift);
    let digits = top / bottom;
    let exponent = ideal - shift;
    if (top % bottom !== 0n) {
      // The last digit says that something follows, so that a half is told from more than a half.
      if (digits % 5n === 0n) digits += top < 0n === bottom < 0n ? 1n : -1n;
    } else {
      for (; exponent < ideal && digits % 10n === 0n; exponent += 1) digits /= 10n;
    }
    return Decimal.#fit(digits, exponent);
  }

  /** Negative, zero or positive: less, equal or greater. */
  compare(other: Decimal): number {
    const [a, b] = [this.digits, other.digits];
    const [left, right] = [a === 0n ? 0 : a < 0n ? -1 : 1, b === 0n ? 0 : b < 0n ? -1 : 1];
    if (left !== right || left === 0) return left - right;
    const reach = width(a) + this.exponent - (width(b) + other.exponent);
    if (reach !== 0) return reach > 0 ? left : -left;
    const exponent = Math.min(this.exponent, other.exponent);
    const x = a * power(this.exponent - exponent);
    const y = b * power(other.exponent - exponent);
    return x === y ? 0 : x < y ? -1 : 1;
  }

  /** A whole number, within the bounds of safe integers. */
  whole(mode: "round" | "floor" | "ceil"): number {
    if (this.digits === 0n) return 0;
    if (this.exponent + width(this.digits) > 20)
      return (this.digits < 0n ? -1 : 1) * Number.MAX_SAFE_INTEGER;
    if (this.exponent >= 0) return bounded(this.digits * power(this.exponent));
    if (this.exponent + width(this.digits) < 0) return this.#tiny(mode);
    const divisor = power(-this.exponent);
    const quotient = this.digits / divisor;
    if (this.digits % divisor === 0n) return bounded(quotient);
    if (mode === "round") return bounded(halfEven(this.digits, divisor));
    if (mode === "floor") return bounded(this.digits < 0n ? quotient - 1n : quotient);
    return bounded(this.digits > 0n ? quotient + 1n : quotient);
  }

  #tiny(mode: "round" | "floor" | "ceil"): number {
    if (mode === "floor") return this.digits < 0n ? -1 : 0;
    return mode === "ceil" && this.digits > 0n ? 1 : 0;
  }

  /** All digits, never with an exponent; at least `places` of them after the point. */
  toString(places = 0): string {
    const scale = Math.max(-this.exponent, places, 0);
    const digits = magnitude(this.digits) * power(scale + this.exponent);
    const text = digits.toString().padStart(scale + 1, "0");
    const point = text.length - scale;
    const shown = scale === 0 ? text : `${text.slice(0, point)}.${text.slice(point)}`;
    return this.digits < 0n ? `-${shown}` : shown;
  }

  /** A decimal number travels as a text. */
  toJSON(): string {
    return this.toString();
  }
}

/** An amount of one currency; the currency is known to the compiler only. */
export type Money<C extends string> = Decimal & { readonly currency?: C };

function bounded(value: bigint): number {
  return saturated(Number(value));
}

/** Whole numbers stop at the bounds of safe integers. */
export function saturated(value: number): number {
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, value));
}
