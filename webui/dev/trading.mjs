export const dashRoutes = () => () => undefined;
export const streamFrames = () => () => {};
