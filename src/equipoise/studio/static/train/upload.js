// What is dropped, or chosen, sent to the studio: a file as it is, a folder file by file.

import { api, t } from "../kit.js";

const AT_ONCE = 4;

/** What a drop holds: [{path, file}], and the name of the folder where it is one. */
export async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (entries.length === 0) return named([...transfer.files].map((file) => ({ path: file.name, file })));
  const found = [];
  for (const entry of entries) await walk(entry, "", found);
  const folder = entries.length === 1 && entries[0].isDirectory ? entries[0].name : "";
  return folder ? { folder, files: found.map(({ path, file }) => ({ path: path.slice(folder.length + 1), file })) } : named(found);
}

/** What was chosen in a file input. */
export function chosen(input) {
  const files = [...input.files];
  const folder = files[0]?.webkitRelativePath.split("/")[0] ?? "";
  if (!folder) return named(files.map((file) => ({ path: file.name, file })));
  return { folder, files: visible(files.map((file) => ({ path: file.webkitRelativePath.slice(folder.length + 1), file }))) };
}

function named(files) {
  return { folder: files.length > 1 ? "files" : "", files };
}

const visible = (files) => files.filter(({ path }) => !path.split("/").some((part) => part.startsWith(".") || part === "Thumbs.db"));

async function walk(entry, above, found) {
  if (entry.name.startsWith(".") || entry.name === "Thumbs.db") return;
  const path = above + entry.name;
  if (entry.isFile) {
    found.push({ path, file: await new Promise((resolve, reject) => entry.file(resolve, reject)) });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return;
    for (const one of some) await walk(one, `${path}/`, found);
  }
}

/**
 * Send data, and return the name that it has.
 * @param {{folder: string, files: {path: string, file: File}[]}} data
 * @param {(fraction: number, words: string) => void} progress
 * @param {{cancelled: boolean}} state  set `cancelled` to give up between two files
 */
export async function send(data, progress, state) {
  if (!data.folder) {
    const { file } = data.files[0];
    const told = await api.put(`/api/uploads/${encodeURIComponent(file.name)}`, file, (f) => progress(f, f < 1 ? file.name : t("train.reading")));
    return told.name;
  }
  const { token } = await api.post("/api/folders", { name: data.folder });
  const total = data.files.reduce((sum, { file }) => sum + file.size, 0) || 1;
  let sent = 0;
  let count = 0;
  const waiting = [...data.files];
  async function sendSome() {
    while (waiting.length && !state.cancelled) {
      const { path, file } = waiting.shift();
      await api.put(`/api/uploads/${token}/${path.split("/").map(encodeURIComponent).join("/")}`, file);
      sent += file.size;
      count += 1;
      progress(sent / total, t("train.filesSent", { n: count, of: data.files.length }));
    }
  }
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, sendSome));
    if (!state.cancelled) return (await api.post(`/api/folders/${token}`)).name;
  } catch (error) {
    state.cancelled = true;
    await api.delete(`/api/folders/${token}`).catch(() => {});
    throw error;
  }
  await api.delete(`/api/folders/${token}`);
  return undefined;
}
