"""Pictures and films of the demo, painted on the spot: covers of shapes, and short films with a title, a moving ground and a chord."""

import random
import subprocess
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

COVER = (1280, 720)
FILM = (640, 360)
SECONDS = 12
CHORD = (220.0, 277.18, 329.63)


def paint_cover(path: Path, colors: tuple[str, str], seed: str) -> None:
    """A picture of the two colours running into each other, with some quiet circles; the same seed gives the same picture."""
    dice = random.Random(seed)  # circles, not secrets
    ground = Image.composite(Image.new("RGB", COVER, colors[1]), Image.new("RGB", COVER, colors[0]), _slope())
    shapes = Image.new("RGBA", COVER, (0, 0, 0, 0))
    pen = ImageDraw.Draw(shapes)
    for _circle in range(7):
        radius = dice.randint(70, 330)
        x, y = dice.randint(0, COVER[0]), dice.randint(0, COVER[1])
        box = (x - radius, y - radius, x + radius, y + radius)
        if dice.random() < 0.5:
            pen.ellipse(box, outline=(255, 255, 255, 70), width=dice.choice((6, 14, 24)))
        else:
            pen.ellipse(box, fill=(255, 255, 255, dice.randint(14, 36)))
    ground.paste(shapes, mask=shapes)
    ground.save(path, quality=86)


def _slope() -> Image.Image:
    return (
        Image.linear_gradient("L")
        .rotate(45, expand=True)
        .resize((COVER[0] * 2, COVER[1] * 2))
        .crop((320, 180, 320 + COVER[0], 180 + COVER[1]))
    )


def paint_title(path: Path, course: str, words: str) -> None:
    """The words of a film on a clear ground."""
    card = Image.new("RGBA", FILM, (0, 0, 0, 0))
    pen = ImageDraw.Draw(card)
    pen.rounded_rectangle((40, 110, 600, 250), radius=16, fill=(0, 0, 0, 120))
    pen.text((320, 152), course, font=ImageFont.load_default(20), fill=(255, 255, 255, 210), anchor="mm")
    pen.text((320, 202), words, font=ImageFont.load_default(38), fill="white", anchor="mm")
    card.save(path)


def shoot_film(program: str, path: Path, card: Path, colors: tuple[str, str], seed: int) -> None:
    """A film of twelve seconds in H.264 and AAC: the card over a moving ground, a running bar, and a soft chord."""
    c0, c1 = (f"0x{color.removeprefix('#')}" for color in colors)
    ground = f"gradients=s={FILM[0] // 4}x{FILM[1] // 4}:r=25:d={SECONDS}:c0={c0}:c1={c1}:n=2:speed=0.02:seed={seed}"
    bar = f"color=white@0.8:s={FILM[0]}x6:r=25:d={SECONDS}[bar]"
    titled = f"[0]scale={FILM[0]}:{FILM[1]}[ground];[ground][1]overlay=enable='gte(t,0.4)'[titled]"
    picture = f"{titled};{bar};[titled][bar]overlay=x='-w+w*t/{SECONDS}':y=H-6,format=yuv420p[v]"
    sounds = "".join(f"sine=f={tone}:d={SECONDS}[s{place}];" for place, tone in enumerate(CHORD))
    sound = f"{sounds}[s0][s1][s2]amix=inputs=3,volume=0.5,afade=t=in:d=1,afade=t=out:st={SECONDS - 2}:d=2[a]"
    words = ["-f", "lavfi", "-i", ground, "-i", str(card), "-filter_complex", f"{picture};{sound}", "-map", "[v]", "-map", "[a]"]
    coding = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "28", "-c:a", "aac", "-b:a", "64k", "-ac", "1", "-movflags", "+faststart"]
    command = [program, "-hide_banner", "-loglevel", "error", "-nostdin", "-y", *words, *coding, "-t", str(SECONDS), str(path)]
    subprocess.run(command, check=True, timeout=60)  # our own words and files
