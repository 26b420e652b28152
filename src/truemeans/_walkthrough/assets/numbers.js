// How numbers are written; the twin of numbers.py.
const MINUS = "\u2212";
const SUPERSCRIPTS = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

function formatter({ fixed, digits }) {
  return (value) => {
    if (!Number.isFinite(value)) return value > 0 ? "∞" : MINUS + "∞";
    let text;
    if (fixed || value === 0) {
      text = value.toFixed(digits);
    } else {
      const [mantissa, exponent] = value.toExponential(digits).split("e");
      const raised = [...String(Number(exponent))].map((sign) => SUPERSCRIPTS[sign]).join("");
      text = Number(exponent) ? `${mantissa}×10${raised}` : mantissa;
    }
    if (!/[1-9]/.test(text)) text = text.replace("-", "");
    return text.replace("-", MINUS);
  };
}

const LETTERS = "ABCDEFGHIJKL";
const plural = (n, noun) => `${n} ${noun}${n === 1 ? "" : "s"}`;
