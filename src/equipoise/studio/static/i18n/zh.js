import learn from "./zh/learn.js";
import shell from "./zh/shell.js";
import train from "./zh/train.js";
import use from "./zh/use.js";

export default { ...shell, ...learn, ...train, ...use };
