export { type JinaRerankerOptions, jinaReranker } from './jina-reranker.ts'
