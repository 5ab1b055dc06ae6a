"""Formats that most trainers read: YOLO, Pascal VOC, image folders."""
