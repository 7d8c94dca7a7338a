/** Dot product of `a` with the part of `b` that starts at `offset`; sums in double precision. */
export function dotProduct(a: Float32Array, b: Float32Array, offset = 0): number {
  let even = 0
  let odd = 0
  const last = a.length - 1
  let i = 0
  for (; i < last; i += 2) {
    even += a[i]! * b[offset + i]!
    odd += a[i + 1]! * b[offset + i + 1]!
  }
  return i === last ? even + odd + a[i]! * b[offset + i]! : even + odd
}

/** Squared Euclidean distance of `a` from the part of `b` that starts at `offset`; sums in double precision. */
export function squaredDistance(a: Float32Array, b: Float32Array, offset = 0): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) {
    const difference = a[i]! - b[offset + i]!
    sum += difference * difference
  }
  return sum
}

/** Euclidean length of a vector, or of a part of an array; does not overflow for finite 32-bit floats, and is not finite when a value is not. */
export function vectorNorm(vector: Float32Array, start = 0, end: number = vector.length): number {
  // Declared one by one: taken out of an array they would be objects, three times as slow.
  let a = 0
  let b = 0
  let c = 0
  let d = 0
  const whole = start + ((end - start) & ~3)
  let i = start
  for (; i < whole; i += 4) {
    // Read once each: V8 would read, check and widen every value twice.
    const w = vector[i]!
    const x = vector[i + 1]!
    const y = vector[i + 2]!
    const z = vector[i + 3]!
    a += w * w
    b += x * x
    c += y * y
    d += z * z
  }
  for (; i < end; i++) a += vector[i]! * vector[i]!
  return Math.sqrt(a + b + (c + d))
}
