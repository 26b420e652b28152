// "Predict first": before a step is shown, the reader says what it will do.

function makePredictor(holder, onAnswer) {
  let right = 0;
  let asked = 0;

  // A question about the frame that comes next, or null where there is nothing to ask.
  function questionFor(frame) {
    if (K < 2) return null;
    if (frame.kind === "assign") {
      const i = spotlight(frame);
      return {
        point: i,
        text: `Which centroid is nearest to point ${i + 1}?`,
        answer: frame.labels[i],
        because: `d² to ${squares(distances(frame, i)).map((text, j) => `${LETTERS[j]} is ${text}`).join(", to ")}`,
      };
    }
    if (frame.kind === "update") {
      const { travel } = frame.update;
      const answer = travel.indexOf(Math.max(...travel));
      return {
        point: null,
        text: "Which centroid will move farthest?",
        answer,
        because: travel.map((t, j) => `${LETTERS[j]} moves ${length(t)}`).join(", "),
      };
    }
    return null;
  }

  function ask(question) {
    holder.hidden = false;
    holder.replaceChildren(
      make("p.lead", {}, question.text),
      make("div.choices", {}, [...Array(K)].map((_, j) =>
        make("button", { type: "button", "data-choice": j, onclick: () => answer(question, j) }, chip(j)))),
      make("p.note", {}, "Choose here, or tap a centroid in the picture."));
    holder.querySelector("button").focus({ preventScroll: true });
  }

  function answer(question, choice) {
    asked += 1;
    const met = choice === question.answer;
    if (met) right += 1;
    onAnswer();
    holder.hidden = false;
    holder.replaceChildren(
      make(met ? "p.lead.right" : "p.lead.wrong", {}, met ? `Yes, ${LETTERS[choice]}.` : `No, it is ${LETTERS[question.answer]}.`),
      make("p.note", {}, `${question.because}. ${right} of ${plural(asked, "answer")} right so far.`));
  }

  const clear = () => {
    holder.hidden = true;
    holder.replaceChildren();
  };
  return { questionFor, ask, answer, clear };
}
