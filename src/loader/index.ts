export type { Loader, LoaderInput } from './loader.ts'
