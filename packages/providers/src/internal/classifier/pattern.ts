const compact = (template: TemplateStringsArray): string => template.raw.join("").replace(/\n\s*/g, "")

/**
 * Long patterns over several lines, without a regular expression's own `x` flag: a line break and the indentation
 * after it are no part of the pattern; every other space is. Case never matters.
 */
export const pattern = (template: TemplateStringsArray): RegExp => new RegExp(compact(template), "i")

/** The same, for finding all matches. */
export const patterns = (template: TemplateStringsArray): RegExp => new RegExp(compact(template), "gi")

/** The same, for finding all matches, where case matters. */
export const exactPatterns = (template: TemplateStringsArray): RegExp => new RegExp(compact(template), "g")
