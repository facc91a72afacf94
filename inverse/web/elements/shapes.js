// Shapes to start a mask from. Their chance is the same every time, so that a mask can be had again.
export const SHAPES = {
  box: ["A box", (ink, w, h) => ink.fillRect(w * 0.3, h * 0.3, w * 0.4, h * 0.4)],
  disk: ["A disk", (ink, w, h) => {
    ink.arc(w / 2, h / 2, Math.min(w, h) * 0.24, 0, 2 * Math.PI);
    ink.fill();
  }],
  frame: ["All around", (ink, w, h) => {
    const edge = Math.min(w, h) * 0.15;
    ink.rect(0, 0, w, h);
    ink.rect(edge, edge, w - 2 * edge, h - 2 * edge);
    ink.fill("evenodd");
  }],
  scratches: ["Scratches", (ink, w, h, chance) => {
    ink.lineWidth = Math.max(1.5, Math.min(w, h) / 90);
    for (let n = 0; n < 14; n++) {
      const x = chance() * w;
      ink.moveTo(x, chance() * h * 0.5);
      ink.quadraticCurveTo(x + (chance() - 0.5) * w * 0.3, h * 0.5, x + (chance() - 0.5) * w * 0.3, h * (0.5 + chance() * 0.5));
    }
    ink.stroke();
  }],
  text: ["Words", (ink, w, h) => {
    ink.font = `bold ${h / 9}px sans-serif`;
    ink.textAlign = "center";
    for (let line = 1; line <= 5; line++) ink.fillText("words over a photo", w / 2, (line * h) / 5.5, w * 0.94);
  }],
  dots: ["Dust", (ink, w, h, chance) => {
    for (let n = 0; n < 160; n++) {
      const [x, y, radius] = [chance() * w, chance() * h, (0.3 + chance()) * Math.min(w, h) / 80];
      ink.moveTo(x + radius, y);
      ink.arc(x, y, radius, 0, 2 * Math.PI);
    }
    ink.fill();
  }],
};

/* In the colour that is set on the context. */
export function sketch(name, ink) {
  let seed = 7;
  const chance = () => (seed = (seed * 16807) % 2147483647) / 2147483647; // Park and Miller 1988
  ink.lineCap = "round";
  ink.beginPath();
  SHAPES[name][1](ink, ink.canvas.width, ink.canvas.height, chance);
}
