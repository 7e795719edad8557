// What cannot be taken back needs two presses of the same button.

// Long enough to read the button again.
const PATIENCE = 8000; // ms

/** @param {HTMLButtonElement} button its data-again is what it says in between @param {() => void} act @param {(sentence: string) => void} announce */
export function pressTwice(button, act, announce) {
  const calm = button.textContent;
  let timer = 0;
  const rest = () => {
    clearTimeout(timer);
    timer = 0;
    button.textContent = calm;
  };
  button.addEventListener("blur", rest);
  button.addEventListener("click", () => {
    if (timer !== 0) {
      rest();
      return act();
    }
    button.textContent = button.dataset.again;
    announce(button.dataset.again);
    timer = setTimeout(rest, PATIENCE);
  });
}
