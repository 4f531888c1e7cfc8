import learn from "./en/learn.js";
import shell from "./en/shell.js";
import train from "./en/train.js";
import use from "./en/use.js";

export default { ...shell, ...learn, ...train, ...use };
