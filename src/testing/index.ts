export { type ConformanceCase, ConformanceError } from './conformance.ts'
