/**
 * Long patterns over several lines, without a regular expression's own `x` flag: a line break and the indentation
 * after it are no part of the pattern; every other space is. Case never matters.
 */
export const pattern = (template: TemplateStringsArray): RegExp =>
  new RegExp(template.raw.join("").replace(/\n\s*/g, ""), "i")
