export const command = async (_args: ReadonlyArray<string>): Promise<number> => Promise.resolve(1)
