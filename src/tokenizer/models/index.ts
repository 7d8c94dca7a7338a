export { type Cost, type CostOptions, cost, type TokenUsage } from './cost.ts'
export type { ModelInfo, ModelPrices, ModelPriceTier, ModelPricing } from './model-info.ts'
export { type ModelTable, type ModelTableOptions, modelTable } from './model-table.ts'
