// The pages of this part.
export { compare } from "./compare.js";
export { home } from "./home.js";
export { prepare } from "./prepare.js";
export { run } from "./run.js";
